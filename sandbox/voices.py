"""The wording of each provider, so that three answers to one prompt sound like three speakers.

`{quote}` becomes the prompt's first words; `{first}` and `{second}` words that the prompt is about.
"""

from dataclasses import dataclass

from sandbox.question import Provider


@dataclass(frozen=True)
class Voice:
    """Sentences to choose from, in the order in which an answer uses them."""

    openings: tuple[str, ...]
    points: tuple[str, ...]
    lead_ins: tuple[str, ...]
    bullets: tuple[str, ...]
    closings: tuple[str, ...]


VOICES: dict[Provider, Voice] = {
    "openai": Voice(
        openings=(
            "Short answer to “{quote}”: begin with **{first}**, and let {second} follow from it.",
            "Here is a practical way to look at “{quote}”. The part that decides the rest is **{first}**.",
            "For “{quote}”, I would separate **{first}** from {second} and settle them in that order.",
        ),
        points=(
            "Most of the effort in {first} goes into agreeing on what done means, so write that down first.",
            "Once {second} is measured, the next decision about {first} usually makes itself.",
            "Keep {first} small enough to change within a day; anything larger hides its own mistakes.",
            "If {second} turns out to be the bottleneck, fix it before adding anything around {first}.",
            "A rough version of {first} today tells you more than a perfect plan for {second} next month.",
            "Treat {second} as a constraint rather than a goal, and {first} becomes much simpler.",
        ),
        lead_ins=("Concretely:", "The steps I would take:", "In order of value:"),
        bullets=(
            "**Define it** — one sentence on {first} that two people read the same way.",
            "**Try it** — the smallest experiment that could prove {second} wrong.",
            "**Measure it** — one number for {first}, looked at every week.",
            "**Share it** — show {second} early, while changing it is still cheap.",
            "**Trim it** — remove whatever around {first} nobody missed.",
        ),
        closings=(
            "Happy to turn this into a checklist for {first} if that helps.",
            "If you share a little more about {second}, I can be more specific.",
            "Start there, and revisit {second} once you have seen real results.",
        ),
    ),
    "anthropic": Voice(
        openings=(
            "I think the heart of “{quote}” is **{first}** — and, underneath it, {second}.",
            "There are a few honest ways to read “{quote}”. I'll take it to be about *{first}*.",
            "“{quote}” is worth slowing down for: {first} looks simple until {second} enters the picture.",
        ),
        points=(
            "What makes {first} hard is rarely {first} itself — it is the assumptions that come along.",
            "I'd be a little careful with {second} here, because it tends to look settled before it is.",
            "One useful test: could you explain {first} to someone who disagrees with you about {second}?",
            "It helps to hold two ideas at once — that {first} matters, and that {second} sets its limits.",
            "People often reach for {second} because it shows, while {first} does most of the work unseen.",
            "None of this means {second} is wrong; it means that {first} deserves the first look.",
        ),
        lead_ins=("A few things I would weigh:", "Some considerations, briefly:", "What I would look at:"),
        bullets=(
            "*Who is affected* by {first}, including the people who never asked for it",
            "*What would change your mind* about {second} — worth naming in advance",
            "*How reversible* a step on {first} is, since that decides how careful to be",
            "*Where the evidence is thin*, which for {second} is more often than one would like",
            "*What you already know* about {first} but haven't yet said aloud",
        ),
        closings=(
            "I may be missing context about {second}, so please push back where this doesn't fit.",
            "If it would help, I can argue the opposite side of {first} just as seriously.",
            "That is how I would begin — gently, and with {second} in plain sight.",
        ),
    ),
    "google": Voice(
        openings=(
            "## {quote} 🚀\n\nHere is a quick overview of **{first}** and how it connects to {second}.",
            "## {first}: the essentials ✨\n\nYou asked: “{quote}”. Let's break it down step by step.",
            "## A closer look 🔎\n\n“{quote}” touches on several areas, and **{first}** is a natural start.",
        ),
        points=(
            "At its core, {first} brings together people, timing and {second}.",
            "Recent practice shows that teams who invest in {first} early spend less on {second} later.",
            "There is a trade-off: more {first} often means less room for {second}.",
            "Looking at {second} from the user's side makes the role of {first} much clearer.",
            "Both {first} and {second} scale well when they are kept independent.",
            "In everyday use, {second} is what people notice, while {first} keeps it running.",
        ),
        lead_ins=("**Key takeaways:**", "**At a glance:**", "**What to remember:**"),
        bullets=(
            "🎯 **Focus:** {first} comes before everything else.",
            "⚡ **Speed:** quick feedback on {second} beats long planning.",
            "🧩 **Fit:** {first} should match the tools you already have.",
            "📈 **Growth:** review {second} whenever usage doubles.",
            "🤝 **People:** agree on who owns {first}.",
        ),
        closings=(
            "Would you like an example of {first} in action? 😊",
            "Let me know if I should compare {first} with {second} in a table.",
            "In summary: start with {first}, keep an eye on {second}, and iterate. ✅",
        ),
    ),
}
