"""Settings: what an inventory may say, checked and typed before anything is contacted."""

from hubfleet.settings.check import check_inventory, check_run, lab_of, labs_of, load
from hubfleet.settings.lab import FLAVOURS, Lab
from hubfleet.settings.problems import Problem, SettingsError

__all__ = [
    "FLAVOURS",
    "Lab",
    "Problem",
    "SettingsError",
    "check_inventory",
    "check_run",
    "lab_of",
    "labs_of",
    "load",
]
