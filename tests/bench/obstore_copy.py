"""obstore_copy.py BUCKET DEST CONNECTIONS: copy a bucket with obstore, as its documentation does
it, many gets at once.
"""

import asyncio
import os
import sys

import obstore
from obstore.store import S3Store


async def main(bucket, dest, connections):
    """List as a stream, get and write each object."""
    # rustls takes no certificate that is its own authority, as the bench's server has one
    options = {"allow_http": True, "allow_invalid_certificates": True}
    store = S3Store(bucket, endpoint=os.environ["AWS_ENDPOINT_URL_S3"],
                    virtual_hosted_style_request=False, client_options=options)
    free, under_way, folders = asyncio.Semaphore(connections), set(), set()

    async def copy(key):
        path = os.path.join(dest, key)
        folder = os.path.dirname(path)
        if folder not in folders:
            os.makedirs(folder, exist_ok=True)
            folders.add(folder)
        try:
            answer = await obstore.get_async(store, key)
            with open(path, "wb") as file:
                async for chunk in answer.stream(min_chunk_size=1 << 20):
                    file.write(chunk)
        finally:
            free.release()

    async for page in obstore.list(store, chunk_size=1000):
        for entry in page:
            await free.acquire()
            task = asyncio.create_task(copy(entry["path"]))
            under_way.add(task)
            task.add_done_callback(finish(under_way))
    await asyncio.gather(*under_way)


def finish(under_way):
    """Return what a task that is done calls: a failed one ends us."""
    def call(task):
        if task.exception() is None:
            under_way.discard(task)
    return call


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
