"""The rules of collections, pure: facts with their times, a policy and `now` in, what to do out.

policy            the published document: steps, deadlines, limits
policy_step       a step of it, and what a kind of action says of itself
actions           the kinds of action
policy_ladder     the steps as they stand for one item
dunning_item      the facts of one invoice
dunning_timeline  what was dunnable when, and the position on the ladder that follows
voided_steps      the steps that were taken and count no more
item_evaluation   what an evaluation says
item_evaluator    the evaluation itself, a pure function of (facts, policy, now)
dunning_outlook   the steps that come of themselves, as messages foretell them
account           what the evaluations of an account's items come to: messages, suspensions, the case
suspension        the states of a suspension, what ends it and what still carries it
dunning_account   the facts of one account: items, suspensions, the case, what waits
evaluated_item    an item with the version of the policy that holds for it and its evaluation
account_changes   the changes that a decision may want, and what each makes of the facts
account_draft     an account while a decision is made, and the decision: changes, events, due times
account_decision  the decision that follows from facts alone, by suspension_decision and deferral_decision
due_step_decision the decision to take what is due: notices, terminations, suspensions
bank_data         how well payments must be known before access ends
guard             how many suspensions may be requested before a person must look
"""
