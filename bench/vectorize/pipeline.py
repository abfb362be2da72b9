"""The same pipeline as one writes it in Python: read, cut, embed in batches at several requests at a time, upsert.

Arguments: directory, embedder URL, Qdrant URL, collection, batch, concurrency, characters of a chunk. Uses qdrant-client
where it is installed, else its REST API by requests. Prints its figures as JSON; ends with 3 when requests is missing.
"""
import json
import os
import resource
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

try:
    import requests
except ImportError:
    sys.stderr.write("the Python package requests is missing")
    sys.exit(3)
try:
    from qdrant_client import QdrantClient
    from qdrant_client.models import PointStruct
except ImportError:
    QdrantClient = None

directory, embedder, qdrant, collection, batch, concurrency, size = sys.argv[1:8]
batch, concurrency, size = int(batch), int(concurrency), int(size)
began, cpu = time.monotonic(), time.process_time()
session = requests.Session()
session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=concurrency * 2))
client = QdrantClient(url=qdrant) if QdrantClient else None


def files():
    for folder, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(names):
            yield os.path.join(folder, name)


def chunks():
    for path in files():
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        held, length, ordinal = [], 0, 0
        for paragraph in text.split("\n\n") + [None]:
            if held and (paragraph is None or length + len(paragraph) > size):
                yield {"document": path, "ordinal": ordinal, "text": "\n\n".join(held)}
                held, length, ordinal = [], 0, ordinal + 1
            while paragraph is not None and len(paragraph) > size:
                yield {"document": path, "ordinal": ordinal, "text": paragraph[:size]}
                paragraph, ordinal = paragraph[size:], ordinal + 1
            if paragraph and paragraph.strip():
                held.append(paragraph)
                length += len(paragraph)


def batches():
    held = []
    for chunk in chunks():
        held.append(chunk)
        if len(held) == batch:
            yield held
            held = []
    if held:
        yield held


def store(some):
    answer = session.post(
        embedder + "/v1/embeddings", json={"model": "m", "input": [chunk["text"] for chunk in some]}, timeout=60
    )
    answer.raise_for_status()
    vectors = [item["embedding"] for item in answer.json()["data"]]
    ids = [str(uuid.uuid5(uuid.NAMESPACE_URL, f"{chunk['document']}#{chunk['ordinal']}")) for chunk in some]
    if client:
        points = [PointStruct(id=i, vector=v, payload=p) for i, v, p in zip(ids, vectors, some)]
        client.upsert(collection, points, wait=True)
    else:
        points = [{"id": i, "vector": v, "payload": p} for i, v, p in zip(ids, vectors, some)]
        url = f"{qdrant}/collections/{collection}/points?wait=true"
        session.put(url, json={"points": points}, timeout=60).raise_for_status()
    return len(some)


with ThreadPoolExecutor(concurrency) as pool:
    count = sum(pool.map(store, batches()))
print(
    json.dumps(
        {
            "with": "qdrant-client" if client else "requests alone",
            "chunks": count,
            "seconds": time.monotonic() - began,
            "cpuSeconds": time.process_time() - cpu,
            "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    )
)
