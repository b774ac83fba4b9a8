"""Every error's wording: what happened, why, and the next command to type; a file for each concern.

Functions return the exception; rooms raise it. Others return a sentence for people: what may be missing, what was
found. Types are the third layer of azure.cli.core.azclierror. Of a login server's answer only the status, the error
code and the correlation id are shown, of ARM's its error message, too; what looks like a token is taken out of every
text here.
"""

from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any

from azure.cli.core.azclierror import AzCLIError

from azext_acrscope._errors.arguments import *
from azext_acrscope._errors.arm import *
from azext_acrscope._errors.check import *
from azext_acrscope._errors.consumers import *
from azext_acrscope._errors.entra import *
from azext_acrscope._errors.fleet import *
from azext_acrscope._errors.helper import *
from azext_acrscope._errors.login_server import *
from azext_acrscope._errors.logs import *
from azext_acrscope._errors.policy import *
from azext_acrscope._errors.report import *
from azext_acrscope._errors.stores import *
from azext_acrscope._errors.wording import *
from azext_acrscope.tokens import redact


def _without_tokens(make: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose texts hold no token whatever was put into them: they go to telemetry, too."""

    @wraps(make)
    def made(*args: Any, **options: Any) -> Any:
        result = make(*args, **options)
        if isinstance(result, AzCLIError) and redact(result.error_msg) != result.error_msg:
            advice = [redact(text) for text in result.recommendations]
            return type(result)(redact(result.error_msg), recommendation=advice)
        return redact(result) if isinstance(result, str) else result

    return made


for _name, _made in list(globals().items()):
    if isinstance(_made, FunctionType) and _made.__module__.startswith(__name__) and not _name.startswith("_"):
        globals()[_name] = _without_tokens(_made)
