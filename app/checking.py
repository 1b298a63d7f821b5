"""What a check asks for in JSON, as the OpenAPI page shows it."""

from typing import Annotated

from pydantic import ConfigDict, Field

from app.fields import Strict


class CheckRequest(Strict):
    """A poem to judge."""

    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1000,
            json_schema_extra={"pattern": "[\u3400-\u9fff]"},  # the refusal says it in words
            description="The poem, in either script, with or without punctuation after its lines.",
        ),
    ]
    pinyin: Annotated[bool, Field(description="Whether the answer has pinyin, too.")] = False

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text": "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"}]
        }
    )
