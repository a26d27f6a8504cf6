"""The seven dashboards, from symptom to cause: a module each."""

from collections.abc import Sequence

from deploy.grafana.board import Board
from deploy.grafana.boards import lifecycle

BOARDS: Sequence[Board] = (lifecycle.BOARD,)
