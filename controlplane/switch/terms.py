"""What holds for every leg of a node: variables that FreeSWITCH looks for there when a leg has none of that name.

(switch_channel_get_variable_dup.) Said once when links are opened, they need not be said for every leg, of whose
commands FreeSWITCH reads each byte by itself, nor are they in every event.

A leg goes on when a conversation or a dialling ends, no key stops a prompt, and a telephone that sends nothing in
silence is recorded as silent, not as shorter (switch_ivr_play_say.c:952). And it is sent silence (-1: nothing but
zeros) when it is sent nothing else: `play_over` mixes with what is sent, so that in a pause, or while keys or a
document are waited for, nothing of it would be heard (switch_ivr.c:173, 1014, 1367). That costs about 0.2 % of a core
for a leg that is idle, and keeps carriers from ending calls that send them nothing.

Going back to park after an interruption is a transfer to FreeSWITCH, which counts Max-Forwards down for each and ends
the leg at 0 (switch_ivr.c:2185), unless there is another count: after 70, or as few as the caller's INVITE says.

FreeSWITCH puts X- headers, Diversion and more of one party's INVITE, answers and BYE into those to the other
(mod_sofia.c:5144, sofia.c:1048, 6769): a caller could set headers of whoever is dialled, which only the tenant may.
"""

from __future__ import annotations

from controlplane.esl.variables import Setting, Variable

OWN_HEADERS = Setting(Variable.COPIES_HEADERS, "false")
TERMS = (
    Setting(Variable.HANGUP_AFTER_BRIDGE, "false"),
    Setting(Variable.TRANSFERS_LEFT, "1000000000"),
    Setting(Variable.CONTINUE_ON_FAIL, "true"),
    Setting(Variable.PLAYBACK_TERMINATORS, "none"),
    Setting(Variable.RECORD_FILL_SILENCE, "true"),
    Setting(Variable.SILENCE_WHEN_IDLE, "-1"),
    OWN_HEADERS,
)
