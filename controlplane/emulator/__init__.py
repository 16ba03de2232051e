"""A FreeSWITCH that is not there: the SWITCH role of `esl`, scripted parties, real or virtual time."""
