"""The law of attendance as arithmetic: register codes, calendars, measures, penalty notices, deadlines and returns.

Standard library only, no clock, no reading or writing. Every rule is told the day, every constant names its source
and the dates it holds, and every answer can say itself in plain words.
"""
