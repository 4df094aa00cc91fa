"""Clients that ask again and again."""

import httpx2

from tests.cuts.reader import AWAY, Reader


class Polling(Reader):
    """The snapshot; every second answer is held until there is something new."""

    exact = streams = False

    async def read_on(self, http: httpx2.AsyncClient) -> None:
        prefer = {"Prefer": "wait=5"} if self.connections % 2 else {}
        tag = {"If-None-Match": f'W/"{self.only.cursor}"'} if self.only.cursor else {}
        response = await http.get(f"/v1/jobs/{self.only.job_id}", headers={**prefer, **tag})
        if response.status_code == 200:
            self.only.replace(response.json())
            assert response.headers["etag"] == f'W/"{self.only.cursor}"'
        else:
            assert response.status_code in (304, *AWAY), response.text


class Updates(Reader):
    """The log as JSON, held until something follows what the client has, which begins with a snapshot."""

    streams = False

    async def read_on(self, http: httpx2.AsyncClient) -> None:
        path, headers = f"/v1/jobs/{self.only.job_id}", {}
        if self.only.cursor:
            path, headers = f"{path}/updates?after={self.only.cursor}&limit=40", {"Prefer": "wait=5"}
        response = await http.get(path, headers=headers)
        if response.status_code in AWAY:
            return
        assert response.status_code == 200, response.text
        answer = response.json()
        if self.only.cursor is None:
            self.only.take(answer["cursor"], "snapshot", answer | {"reason": "initial"})
            return
        assert not answer["reset"]
        for item in answer["items"]:
            self.only.take(item["id"], item["event"], item["data"])
        assert answer["cursor"] == self.only.cursor
