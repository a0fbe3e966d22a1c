"""Log lines on standard error: `[FACEFUSION.MODULE] text`."""

import logging

LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}


def init(log_level: str) -> None:
    """Begin to log from `log_level` on: error, warn, info or debug."""
    logging.basicConfig(format="%(message)s")
    get_package_logger().setLevel(LEVELS[log_level])


def get_package_logger() -> logging.Logger:
    """Return the logger of the package."""
    return logging.getLogger("facefusion")


def debug(message: str, module_name: str) -> None:
    """Log a detail."""
    get_package_logger().debug(create_message(message, module_name))


def info(message: str, module_name: str) -> None:
    """Log progress."""
    get_package_logger().info(create_message(message, module_name))


def warn(message: str, module_name: str) -> None:
    """Log something odd."""
    get_package_logger().warning(create_message(message, module_name))


def error(message: str, module_name: str) -> None:
    """Log why it fails."""
    get_package_logger().error(create_message(message, module_name))


def create_message(message: str, module_name: str) -> str:
    """Put the first and the last part of the module's name in front."""
    names = module_name.upper().split(".")
    return f"[{names[0]}.{names[-1]}] {message}"
