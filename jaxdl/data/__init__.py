"""Data sets, splits, preprocessing, augmentation and batch sampling."""
