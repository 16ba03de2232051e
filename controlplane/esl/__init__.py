"""FreeSWITCH's event socket without IO: the codec for both roles, and the only way to write commands. Pure."""
