"""The law of attendance as arithmetic: codes, calendars, measures, penalty notices, deadlines and returns.

Standard library only, no clock, no reading or writing of files. The caller passes every day in. Each constant names
its source and the dates on which it holds. Each answer carries a sentence, its facts and its sources.
"""
