"""The words for what a property's name tells of: a title, a feeling, somebody who acts.

`{first}` and `{second}` become words that the prompt is about.
"""

from collections.abc import Mapping, Sequence

_TITLES = (
    "Noticing the need for {first}",
    "Comparing {first} and {second}",
    "Asking about {first}",
    "Deciding on {second}",
    "Getting started with {first}",
    "Working through {second}",
    "Checking the {first}",
    "Settling the {second}",
    "Looking back at {first}",
)
_SENTENCES = (
    "Somebody looks for {first} and finds three places that each tell half of it.",
    "The {first} is clear at once, but nobody says how {second} follows from it.",
    "A short talk settles {first}; what is left of {second} is written down for later.",
    "They wait for word about {first}, and go on with {second} meanwhile.",
    "With {second} at hand, {first} takes minutes where it used to take a day.",
    "The first try at {first} fails, and the second goes through without a word of why.",
    "Everybody agrees about {second}; the open question is who pays for {first}.",
)
_PEOPLE = ("Customer", "New user", "Support agent", "Account manager", "Buyer", "Operator", "Team lead")
_PERSONAS = ("Careful first-timer", "Busy regular", "Sceptical manager", "Curious newcomer", "Returning expert")
_CHANNELS = ("Website", "Phone", "Email", "App", "Chat", "In person", "Letter")
_FEELINGS = ("curious", "hopeful", "unsure", "frustrated", "relieved", "confident", "pleased")
_PAINS = (
    "Nobody says how long the {first} takes",
    "The {first} is asked for twice",
    "{second} has to be looked up elsewhere",
    "No word comes back about {first}",
    "The rules for {second} change on the way",
)
_CHANCES = (
    "Offer {first} before anybody asks",
    "Show how far the {second} is",
    "Let {first} be changed afterwards",
    "Bring {first} and {second} together in one place",
    "Thank people for their {second}",
)

PHRASES: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("title", "name", "label", "heading"), _TITLES),
    **dict.fromkeys(("summary", "description", "detail", "text", "content", "explanation", "finding"), _SENTENCES),
    **dict.fromkeys(("actor", "role", "owner"), _PEOPLE),
    "persona": _PERSONAS,
    **dict.fromkeys(("channel", "touchpoint"), _CHANNELS),
    **dict.fromkeys(("emotion", "feeling", "mood", "sentiment"), _FEELINGS),
    **dict.fromkeys(("pain_point", "pain", "problem", "risk"), _PAINS),
    **dict.fromkeys(("opportunity", "opportunitie", "recommendation", "action", "idea"), _CHANCES),
}
"""By the property's name, in the singular."""
