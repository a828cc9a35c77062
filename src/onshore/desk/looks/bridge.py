"""The bridge to a maker's own MQTT broker: whether it is set up, and writes nothing down."""

from onshore.gate.mqtt.known import broker_of, patterns_of
from onshore.gate.mqtt.persistence import persistence
from onshore.site import Site
from onshore.words.errors import OnshoreError
from onshore.words.settings_gate import MqttBridge


def look(site: Site, settings: MqttBridge) -> tuple[bool, str]:
    """Whether the bridge is well as far as the settings say, and in words."""
    try:
        broker_of(site, settings)
        patterns_of(settings)
    except OnshoreError as wrong:
        return False, str(wrong)
    return persistence(settings, site.folder)
