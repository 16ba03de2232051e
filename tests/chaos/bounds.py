"""How long the platform may take to be whole again after each kind of fault, seconds. Longer is a defect.

These are fixed: what excuses a call ends with them, however long the platform takes (running.py). A healthy platform
keeps them on a busy machine of two cores; on one that is slower still, CHAOS_SLOW is what they are multiplied by.
"""

from __future__ import annotations

import os

from controlplane.switch.pinging import MOST_LOOKS, PING_S

_SLOW = float(os.environ.get("CHAOS_SLOW", "1"))

TAKES_OVER_S = 3.0 * _SLOW  # another call server, after one was killed
THAWS_S = 8.0 * _SLOW  # the same, after one was stopped: its connections do not end with it
RESTARTS_S = 10.0 * _SLOW  # one that is started again, from then until it speaks of its calls
ALL_RESTART_S = 20.0 * _SLOW  # the same where everything is started at once: that is work for two cores
NOTICES_S = MOST_LOOKS * PING_S + 2.0 * _SLOW  # a link that is half open, until a new one is there
LINKS_S = 3.0 * _SLOW  # a link that was reset, until a new one is there
FINDS_NODE_S = 6.0 * _SLOW  # a node that was away: the longest pause before it is tried again, and a little
WRITES_AGAIN_S = 1.0 * _SLOW  # how soon the API finds that its database is back
FOLLOWS_S = 2.0 * _SLOW  # how soon after the marked call, or a link, all other calls are served, too
