"""The channels of NOTIFY: each says that something is there to be read, never what it is."""

from __future__ import annotations

QUEUE = "callplane_queue"  # a call waits to be placed; payload: its shard
CONTROL = "callplane_control"  # a live call is asked something; payload: the call's id
ROUTING = "callplane_routing"  # numbers, apps or accounts changed (triggers of 0001); no payload
OUTBOX = "callplane_outbox"  # deliveries or recordings are due; no payload
CORES = "callplane_cores"  # a media node was lost, or its calls are given to another; no payload
