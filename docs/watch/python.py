"""Watch a job in ten lines; JOBSTREAM_URL and JOBSTREAM_TOKEN say where the service is, and who asks."""

from jobstream.client import Client

with Client() as client:
    submitted = client.submit("chat", {"message": "Why is the sky blue?"})
    for job in client.watch(submitted, timeout=300):
        print(job.state, {name: len(part.text) for name, part in job.parts.items()})
    for name, part in job.parts.items():
        print(name, "verified" if part.verified else part.state, part.text, sep="\n")
