"""Base of the answers of one service of which another one reads only a part."""

from pydantic import BaseModel, ConfigDict


class AnswerContract(BaseModel):
    """Fields of an answer that its caller reads; the answer may have others."""

    model_config = ConfigDict(frozen=True)
