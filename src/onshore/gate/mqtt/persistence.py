"""Whether a maker's broker writes cars' messages to its disk before anything is withheld: what can be known of it.

A client cannot see it: neither MQTT nor Mosquitto's own $SYS topics say. What is left is the broker's configuration,
where the gate can read it, or somebody's word; each is told as what it is.
"""

from collections.abc import Iterator
from pathlib import Path

from onshore.words.settings_gate import MqttBridge

_FILES = 64
Said = tuple[bool, str]
"""Whether it is well, and in words."""


def persistence(settings: MqttBridge, folder: Path) -> Said:
    """What is known of a broker's persistence; `folder`: where relative paths of the settings begin."""
    broker = f"{settings.host}:{settings.port}"
    if settings.config:
        return _configured(broker, [folder / name for name in settings.config])
    who = f"as {settings.stated_by} says" if settings.stated_by else "as the settings say, and nobody by name"
    if settings.persistence == "on":
        return False, f"{broker} writes what cars send to its disk, {who}: switch its persistence off"
    if settings.persistence == "off" and settings.stated_by:
        return True, f"{broker} keeps messages in memory alone, {who}; a client cannot see whether it is so"
    remedy = 'name its files in config, or persistence = "off" and stated_by, in [gate.mqtt_bridge]'
    return False, f"nobody answers for whether {broker} writes what cars send to its disk: {remedy}"


def _configured(broker: str, files: list[Path]) -> Said:
    try:
        lines = [line for file in files for line in _lines(file, _FILES)]
    except (OSError, UnicodeError) as failed:
        return False, f"the configuration of {broker} cannot be read: {type(failed).__name__}"
    words = [line.split(maxsplit=1) for line in lines]
    on = [word for word in words if word[0] == "persistence" and word[1:] and word[1].strip().lower() in {"true", "1"}]
    if on:
        return False, f"{broker} is configured to write what cars send to its disk: set 'persistence false'"
    return True, f"{broker} is configured to keep messages in memory alone, if it runs as its files say now"


def _lines(file: Path, most: int) -> Iterator[str]:
    """The settings in a file of Mosquitto's and in those of the folders that it includes (mosquitto.conf(5))."""
    for line in map(str.strip, file.read_text("utf-8").splitlines()):
        if line and not line.startswith("#"):
            yield line
            if line.startswith("include_dir"):
                for more in sorted(Path(line.split(maxsplit=1)[1]).glob("*.conf"))[:most]:
                    yield from _lines(more, 0)
