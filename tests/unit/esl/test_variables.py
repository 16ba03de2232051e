"""Variables that may be set, and to what."""

from __future__ import annotations

import pytest

from controlplane.esl.errors import UnsafeValue
from controlplane.esl.variables import Setting, Variable, joined, mark, variable_name

LEG = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (Variable.ORIGINATION_UUID, LEG),
        (Variable.CALLER_NUMBER, "+15550001111"),
        (Variable.EFFECTIVE_CALLER_NAME, "Alice (1)"),
        (Variable.LEG_TIMEOUT_S, "30"),
        (Variable.IGNORE_EARLY_MEDIA, "ring_ready"),
        (Variable.PARK_AFTER_BRIDGE, "true"),
        (Variable.RINGBACK, "%(2000,4000,440,480)"),
        (Variable.PLAYBACK_TERMINATORS, "none"),
        (Variable.PLAYBACK_TERMINATORS, "123#"),
        (Variable.PRESENCE_DATA, "cs_1"),
        (Variable.READ_TERMINATOR_USED, ""),
        (Variable.ORIGINATE_DISPOSITION, ""),
    ],
)
def test_values_of_the_right_shape_are_taken(variable: Variable, value: str) -> None:
    assert str(Setting(variable, value)) == f"{variable.value}={value}"


@pytest.mark.parametrize("variable", list(Variable))
@pytest.mark.parametrize("value", ["a b,c", "x=${y}", "\n", "a|b", "^^;a", "'", "undef'"])
def test_no_variable_takes_harmful_values(variable: Variable, value: str) -> None:
    with pytest.raises(UnsafeValue):
        Setting(variable, value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (Variable.ORIGINATION_UUID, "x"),
        (Variable.LEG_TIMEOUT_S, "-1"),
        (Variable.LEG_TIMEOUT_S, "86401"),
        (Variable.PARK_AFTER_BRIDGE, "yes"),
        (Variable.RINGBACK, "%(1,1,1)"),
        (Variable.BRIDGE_TERMINATE_KEY, "x"),
        (Variable.CALLER_ID_HEADER, "rpid "),
        (Variable.READ_TERMINATOR_USED, "1"),
        (Variable.ORIGINATE_DISPOSITION, "SUCCESS"),
    ],
)
def test_values_of_another_shape_are_refused(variable: Variable, value: str) -> None:
    with pytest.raises(UnsafeValue):
        Setting(variable, value)


@pytest.mark.parametrize(
    "name", ["api_hangup_hook", "api_on_answer", "sip_h_X-A", "callplane_", "callplane_A", "", "a=b"]
)
def test_other_variables_may_not_be_set(name: str) -> None:
    with pytest.raises(UnsafeValue):
        Setting(name, "a")


def test_marks_are_tokens_under_our_name() -> None:
    assert str(mark("call", "cs_1.2-3")) == "callplane_call=cs_1.2-3"
    with pytest.raises(UnsafeValue):
        mark("call", "a b")
    with pytest.raises(UnsafeValue):
        mark("Call", "a")


def test_several_are_joined_by_a_character_no_value_has() -> None:
    assert joined([mark("a", "1"), mark("b", "")], 2) == "^^|callplane_a=1|callplane_b="
    for settings in ([], [mark("a", "1")] * 3):
        with pytest.raises(UnsafeValue):
            joined(settings, 2)


def test_variables_are_asked_for_by_plain_names() -> None:
    assert variable_name("current_application") == "current_application"
    for name in ("", "a b", "a\n", "1a", "a-b", "a" * 65):
        with pytest.raises(UnsafeValue):
            variable_name(name)
