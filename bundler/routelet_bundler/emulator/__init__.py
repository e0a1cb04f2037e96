"""Runs a build on this machine as AWS would: `with Emulator("dist") as lambda_: ...`."""

from routelet_bundler.emulator.emulator import Emulator, EmulatorResponse, MissingFile
from routelet_bundler.emulator.worker import InvocationResult

__all__ = ["Emulator", "EmulatorResponse", "InvocationResult", "MissingFile"]
