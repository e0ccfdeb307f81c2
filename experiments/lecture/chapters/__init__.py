"""The chapters of the lecture: each file enters its rows into the catalogue."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType

CHAPTERS: Mapping[str, tuple[str, int, int]] = MappingProxyType(
    {
        "overview": ("Overview (概述), slides 1–10", 1, 17),
        "backpropagation": ("Model, matrix form, back-propagation (反向传播), slides 11–14", 18, 26),
        "descent": ("The problem of optimisation (最优化), slides 15–18", 27, 39),
        "rates": ("SGD and its learning rate (学习率), slides 19–21", 40, 45),
        "optimizers": ("Momentum (动量), RMSProp, Adam, schedules, slides 22–26", 46, 58),
        "preparation": ("Hyper-parameters, initialisation (初始化), preprocessing (预处理), slides 27–31", 59, 71),
        "penalties": ("Over-fitting (过拟合), norms (范数), weight decay (权重衰减), slides 32–37", 72, 81),
        "regularisation": ("L2, dropout, early stopping (早停), augmentation (数据增强), slides 38–47", 82, 97),
        "summary": ("Summary (小结), references, and what holds for all experiments, slides 48–51", 98, 106),
    }
)
"""File to title, first and last row."""


def load() -> None:
    """Imports every chapter, which enters its rows."""
    for name in CHAPTERS:
        importlib.import_module(f"experiments.lecture.chapters.{name}")
