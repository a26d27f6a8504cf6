"""The rules of collections, pure: facts with their times, a policy and `now` in, what to do out.

outlook      the steps that come of themselves, as messages foretell them
policy       the published document: steps, deadlines, limits
item         the facts of one invoice
timeline     what was dunnable when, and the position on the ladder that follows
judgement    what a judgement says
judge        the judgement itself, a pure function of (facts, policy, now)
account      what the judgements of an account's items come to: messages, suspensions, the case
suspension   the states of a suspension, what ends it and what still carries it
bank         how well payments must be known before access ends
guard        how many suspensions may be requested before a person must look
"""
