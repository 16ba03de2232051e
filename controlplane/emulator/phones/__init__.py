"""Telephones: the parties of a scenario with SIP over UDP and RTP of their own, for calls with a real FreeSWITCH.

They are far ends in every sense: another SIP stack than the media node's, and audio that really went over a network.
"""
