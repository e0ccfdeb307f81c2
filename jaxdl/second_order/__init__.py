"""Methods that know curvature: Newton, quasi-Newton, conjugate gradients, their line searches, and critical points.

They take a loss without noise, ``f(params)`` or ``f(params, batch)``, in place of a stream of gradients, so they are no
optax transformations: :func:`minimise` runs them.
"""

from jaxdl.second_order.bfgs import bfgs as bfgs
from jaxdl.second_order.conjugate_gradient import conjugate_gradient as conjugate_gradient
from jaxdl.second_order.conjugate_gradient import dai_yuan as dai_yuan
from jaxdl.second_order.conjugate_gradient import fletcher_reeves as fletcher_reeves
from jaxdl.second_order.conjugate_gradient import hestenes_stiefel as hestenes_stiefel
from jaxdl.second_order.conjugate_gradient import polak_ribiere as polak_ribiere
from jaxdl.second_order.conjugate_gradient import polak_ribiere_plus as polak_ribiere_plus
from jaxdl.second_order.critical_points import KINDS as KINDS
from jaxdl.second_order.critical_points import CriticalPoint as CriticalPoint
from jaxdl.second_order.critical_points import classify as classify
from jaxdl.second_order.critical_points import critical_points as critical_points
from jaxdl.second_order.descent import gradient_descent as gradient_descent
from jaxdl.second_order.lbfgs import lbfgs as lbfgs
from jaxdl.second_order.line_search import armijo as armijo
from jaxdl.second_order.line_search import constant as constant
from jaxdl.second_order.line_search import exact as exact
from jaxdl.second_order.line_search import strong_wolfe as strong_wolfe
from jaxdl.second_order.linear import LinearResult as LinearResult
from jaxdl.second_order.linear import linear_conjugate_gradient as linear_conjugate_gradient
from jaxdl.second_order.method import Method as Method
from jaxdl.second_order.minimisation import Result as Result
from jaxdl.second_order.minimisation import minimise as minimise
from jaxdl.second_order.newton import absolute as absolute
from jaxdl.second_order.newton import damped as damped
from jaxdl.second_order.newton import newton as newton
from jaxdl.second_order.newton import positive_definite as positive_definite
from jaxdl.second_order.newton import unmodified as unmodified
from jaxdl.second_order.newton_cg import newton_cg as newton_cg
