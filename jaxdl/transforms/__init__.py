"""Update rules, one idea per file. Each factory returns an optax ``GradientTransformationExtraArgs``."""

from jaxdl.transforms.adam import ScaleByAdamState as ScaleByAdamState
from jaxdl.transforms.adam import scale_by_adam as scale_by_adam
from jaxdl.transforms.clip import clip as clip
from jaxdl.transforms.clip import clip_by_global_norm as clip_by_global_norm
from jaxdl.transforms.decay import add_decayed_weights as add_decayed_weights
from jaxdl.transforms.decay import add_l2_gradient as add_l2_gradient
from jaxdl.transforms.learning_rate import scale_by_learning_rate as scale_by_learning_rate
from jaxdl.transforms.momentum import TraceState as TraceState
from jaxdl.transforms.momentum import trace as trace
from jaxdl.transforms.rms import ScaleByRmsState as ScaleByRmsState
from jaxdl.transforms.rms import ScaleByStddevState as ScaleByStddevState
from jaxdl.transforms.rms import scale_by_rms as scale_by_rms
from jaxdl.transforms.rms import scale_by_stddev as scale_by_stddev
