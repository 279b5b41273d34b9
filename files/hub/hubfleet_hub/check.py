"""``python -m hubfleet_hub.check``: would the hub start with this configuration? Exit 1 and one line when not.

The directory to judge is the environment's ``HUBFLEET_ETC``. Everything is loaded as the hub does it, a lab's own files
too, with JupyterHub's own classes, and nothing is started.
"""

# mypy: disable-error-code="import-untyped"

import sys
import traceback

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.user import User
from traitlets import TraitError
from traitlets.config.loader import PyFileConfigLoader

from .__main__ import CONFIG_FILE
from .config import ETC, ConfigError


def check() -> str:
    """What is wrong, in one line; empty when nothing is."""
    try:
        app = JupyterHub(config=PyFileConfigLoader(str(CONFIG_FILE)).load_config())
        db = orm.new_session_factory("sqlite:///:memory:")()
        authenticator = app.authenticator_class(parent=app, _deprecated_db_session=db)
        user = User(orm.User(name="check"), {}, db=db)
        app.spawner_class(parent=app, authenticator=authenticator, db=db, user=user)
    except ConfigError as error:
        return str(error)
    except TraitError as error:
        return f"a setting has a value that JupyterHub refuses: {error}"
    except Exception as error:
        return f"{_place(error)}{type(error).__name__}: {error}"
    return ""


def _place(error: Exception) -> str:
    """Where in a lab's own files ``error`` came from."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(str(ETC)):
            return f"{frame.filename}, line {frame.lineno}: "
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: "
    return ""


def main() -> None:
    if problem := check():
        sys.exit(f"check: {problem}")
    print("check: the hub's configuration is good")


if __name__ == "__main__":
    main()
