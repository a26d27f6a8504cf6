"""Events from the record of a fact to its effect elsewhere: outbox, broker, consumers, what was parked."""

from deploy.grafana.board import DashboardBoard, PanelRow
from deploy.grafana.boards.places import PLATFORM, SERVICE
from deploy.grafana.panels import (
    PER_TIME,
    PanelLook,
    PanelText,
    draw_bar_panel,
    draw_line_panel,
    draw_number_panel,
    draw_table_panel,
    link_to_runbook,
)
from deploy.grafana.queries import PanelQuery, compute_age, compute_quantile, compute_rate, compute_total, count_now

SMALL = PanelLook(width=4, height=4)
HEADS = 'place=~"head|unreadable"'

NOW = PanelRow(
    "Now",
    [
        draw_number_panel(
            PanelText(
                "Wait in the outbox",
                "Facts that no other service has heard of.",
                "Look whether the relay leads and whether the broker answers.",
                "none",
                [PLATFORM, link_to_runbook("OutboxStalled")],
            ),
            PanelQuery("sum(goodstanding_outbox_pending)", "pending"),
            look=PanelLook(width=4, height=4, warn=200, bad=2000),
        ),
        draw_number_panel(
            PanelText(
                "Not applied yet",
                "Messages between what is published and what is applied.",
                "See below which consumer and whether it advances.",
                "none",
                [SERVICE, link_to_runbook("ConsumerLagGrows")],
            ),
            PanelQuery("sum(goodstanding_consumer_lag_messages)", "lag"),
            look=PanelLook(width=4, height=4, warn=500, bad=5000),
        ),
        draw_number_panel(
            PanelText(
                "Slowest effects",
                "99 of 100 effects come sooner after their fact.",
                "Outbox or consumer? The two delays below tell.",
                "s",
                [SERVICE, link_to_runbook("EffectsLate")],
            ),
            PanelQuery(compute_quantile(0.99, "goodstanding_event_effect_seconds", ""), "p99"),
            look=PanelLook(width=4, height=4, warn=5, bad=30, none="no events"),
        ),
        draw_number_panel(
            PanelText(
                "Heads that broke",
                "Events that could not be applied: all later ones of their subject wait.",
                "Read the error in the list below, mend its cause, then redrive.",
                "none",
                [SERVICE, link_to_runbook("EventParked")],
            ),
            PanelQuery(count_now("goodstanding_parked_events", selector=HEADS), "heads"),
            look=PanelLook(width=4, height=4, bad=1),
        ),
        draw_number_panel(
            PanelText(
                "Groups that stopped",
                "The flood rule stopped them: too many heads at once.",
                "Find what broke so many, mend it, then let the group go on.",
                "none",
                [SERVICE, link_to_runbook("ConsumerGroupStopped")],
            ),
            PanelQuery("sum(goodstanding_consumer_group_stopped)", "stopped"),
            look=PanelLook(width=4, height=4, bad=1),
        ),
        draw_number_panel(
            PanelText(
                "Consumers that are stuck",
                "Something is there to read and nothing advances.",
                "Its process ends by itself. If it comes back stuck, look at its log.",
                "none",
                [SERVICE, link_to_runbook("ConsumerStuck")],
            ),
            PanelQuery("sum(goodstanding_consumer_stuck)", "stuck"),
            look=PanelLook(width=4, height=4, bad=1),
        ),
    ],
)
OUT = PanelRow(
    "Out: from the fact to the broker",
    [
        draw_line_panel(
            PanelText(
                "Waiting in the outbox",
                "Events that the relay has not sent.",
                "One service: its relay. All: the broker.",
                "none",
                [PLATFORM, link_to_runbook("OutboxStalled")],
            ),
            PanelQuery(compute_total("goodstanding_outbox_pending", "service"), "{{service}}"),
        ),
        draw_line_panel(
            PanelText(
                "How long the first waits",
                "Since it was recorded.",
                "Past the line nobody hears of anything: look at the relay's log and the broker.",
                "s",
                [PLATFORM, link_to_runbook("OutboxStalled")],
            ),
            PanelQuery(compute_age("goodstanding_outbox_oldest_timestamp_seconds", "service"), "{{service}}"),
            look=PanelLook(bad=60),
        ),
        draw_line_panel(
            PanelText(
                "Published",
                "Acknowledged by the broker, in a second.",
                "Falls to nothing while requests go on: the outbox fills.",
                "ops",
                [PLATFORM, link_to_runbook("BrokerAway")],
            ),
            PanelQuery(compute_rate("goodstanding_outbox_published_total", "topic"), "{{topic}}"),
        ),
    ],
)
IN = PanelRow(
    "In: from the broker to the effect",
    [
        draw_line_panel(
            PanelText(
                "Not applied yet",
                "Messages that a consumer is behind.",
                "Grows without end: it is slower than what comes, or stuck.",
                "none",
                [SERVICE, link_to_runbook("ConsumerLagGrows")],
            ),
            PanelQuery(compute_total("goodstanding_consumer_lag_messages", "service"), "{{service}}"),
        ),
        draw_line_panel(
            PanelText(
                "How long behind",
                "Since when something is not applied.",
                "What this service decides rests on facts that are so old.",
                "s",
                [SERVICE, link_to_runbook("ConsumerLagGrows")],
            ),
            PanelQuery(compute_age("goodstanding_consumer_behind_since_timestamp_seconds", "service"), "{{service}}"),
            look=PanelLook(bad=120),
        ),
        draw_line_panel(
            PanelText(
                "From fact to effect",
                "Half and 99 of 100, over all services.",
                "The half is usual and the slowest are not: single subjects wait, see what is parked.",
                "s",
                [SERVICE, link_to_runbook("EffectsLate")],
            ),
            PanelQuery(compute_quantile(0.5, "goodstanding_event_effect_seconds", ""), "half"),
            PanelQuery(compute_quantile(0.99, "goodstanding_event_effect_seconds", ""), "99 %"),
            look=PanelLook(bad=30),
        ),
        draw_line_panel(
            PanelText(
                "What became of events",
                "By outcome, in a second.",
                "`unreadable` or `head`: broken. `dropped`: came twice, which is usual after a restart.",
                "ops",
                [SERVICE, link_to_runbook("EventParked")],
            ),
            PanelQuery(compute_rate("goodstanding_consumer_events_total", "outcome"), "{{outcome}}"),
            look=PanelLook(
                colours={
                    "head": "red",
                    "handled": "green",
                    "passed": "light-blue",
                    "dropped": "yellow",
                    "parked": "orange",
                    "unreadable": "dark-red",
                    "foreign": "dark-red",
                    "unknown": "purple",
                }
            ),
        ),
        draw_line_panel(
            PanelText(
                "Effects by topic",
                "99 of 100 come sooner.",
                "One topic alone: its producer's relay.",
                "s",
                [SERVICE, link_to_runbook("EffectsLate")],
            ),
            PanelQuery(compute_quantile(0.99, "goodstanding_event_effect_seconds", "topic"), "{{topic}}"),
            look=PanelLook(bad=30),
        ),
        draw_line_panel(
            PanelText(
                "Starts afresh",
                "Relays and consumers that began again after an error, and members that moved, in a minute.",
                "A few after a restart are usual. Going on: the broker comes and goes.",
                PER_TIME["min"],
                [PLATFORM, link_to_runbook("BrokerAway")],
            ),
            PanelQuery("60 * sum(rate(goodstanding_relay_restarts_total[$__rate_interval]))", "relays"),
            PanelQuery("60 * sum(rate(goodstanding_consumer_restarts_total[$__rate_interval]))", "consumers"),
            PanelQuery("60 * sum(rate(goodstanding_consumer_rebalances_total[$__rate_interval]))", "rebalances"),
            PanelQuery("60 * sum(rate(goodstanding_relay_takeovers_total[$__rate_interval]))", "takeovers"),
            look=PanelLook(
                colours={"relays": "red", "consumers": "orange", "rebalances": "blue", "takeovers": "purple"}
            ),
        ),
    ],
)
ASIDE = PanelRow(
    "Set aside",
    [
        draw_bar_panel(
            PanelText(
                "Parked events",
                "Heads, and what waits behind them.",
                "Mend the heads: their followers come by themselves.",
                "none",
                [SERVICE, link_to_runbook("EventParked")],
            ),
            PanelQuery(compute_total("goodstanding_parked_events", "service, place"), "{{service}} {{place}}"),
            look=PanelLook(width=8, height=8, bad=1, none="Nothing is parked"),
        ),
        draw_table_panel(
            PanelText(
                "What broke",
                "Heads by the class of their error.",
                "A class of ours is a rule that was broken, one of"
                " pydantic a producer that broke the contract, one of Postgres a defect.",
                "none",
                [SERVICE, link_to_runbook("EventParked")],
            ),
            PanelQuery(compute_total("goodstanding_parked_events", "service, topic, error", HEADS), ""),
            look=PanelLook(width=16, height=8, none="Nothing is parked"),
        ),
    ],
)
BOARD = DashboardBoard("gs-events", "3 Events", __doc__ or "", [NOW, OUT, IN, ASIDE])
