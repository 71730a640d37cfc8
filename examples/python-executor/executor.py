#!/usr/bin/env python3
"""An executor for Andon in Python: a service that updates the firmware of machines.

What it updates is pretended. What is not pretended is everything that makes an executor safe to
use, and it is meant to be copied: every key is on the disk before its job begins, a key that is
known begins nothing, and after a crash the answers are the same as before it.

The protocol, and what Andon makes of each answer, is in executor.proto.
"""

import argparse
import fcntl
import json
import os
import re
import signal
import threading
import time
from concurrent import futures

import grpc
from google.protobuf.duration_pb2 import Duration

from andon.executor.v1 import executor_pb2 as pb
from andon.executor.v1 import executor_pb2_grpc


class Journal:
    """What was begun and what was cancelled, in a file: one line of JSON for each.

    A line is on the disk before anybody is told of it.
    """

    def __init__(self, path):
        self._lock = threading.Lock()
        self._jobs = {}
        self._file = open(path, "a+b")
        # Two executors with one journal would each begin what the other has begun.
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file.seek(0)
        whole = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break  # Cut off by a crash: nobody was told of it, and nothing was done.
            self._take(json.loads(line))
            whole += len(line)
        self._file.truncate(whole)

    def begin(self, key, machine, seconds):
        """Begins the job of this key, unless it is known. Returns what is known of it then."""
        with self._lock:
            if key not in self._jobs:
                now = time.time()
                # Here the machine would be told to begin. If this process dies before it is, the
                # job has not begun and is taken for begun: better than the other way round. With
                # a real machine, ask it what it does before you answer for it.
                self._write(event="begun", key=key, machine=machine, time=now, until=now + seconds)
            return self._jobs[key]

    def cancel(self, key):
        """Ends the job of this key, if it has not ended; one that comes later never begins."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or (job["event"] == "begun" and time.time() < job["until"]):
                self._write(event="cancelled", key=key, time=time.time())
            return self._jobs[key]

    def find(self, key):
        with self._lock:
            return self._jobs.get(key)

    def _write(self, **line):
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._take(line)

    def _take(self, line):
        self._jobs[line["key"]] = line


def state_of(job):
    """What Andon is told of a job."""
    if job is None:
        return pb.State(not_known=pb.NotKnown())
    if job["event"] == "cancelled":
        return pb.State(cancelled=pb.Cancelled())
    if time.time() < job["until"]:
        # The machine works on by itself, whether or not this process lives.
        return pb.State(running=pb.Running(poll_after=Duration(nanos=500_000_000)))
    return pb.State(succeeded=pb.Succeeded())


class FirmwareUpdates(executor_pb2_grpc.JobExecutorServicer):
    def __init__(self, journal):
        self._journal = journal

    def Validate(self, request, context):
        args = request.job.args
        findings = []
        if not re.fullmatch(r"rack[0-9]+-[0-9]{2}", args["machine"]):
            findings.append(f'machine: "{args["machine"]}" is none of ours; they are called like rack7-01')
        if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", args["version"]):
            findings.append(f'version: "{args["version"]}" is no release; use MAJOR.MINOR.PATCH')
        return pb.ValidateResponse(findings=findings)

    def Run(self, request, context):
        job = request.job
        if job.args["machine"].endswith("-00"):
            # That it has failed is said in the answer. An exception would say nothing at all.
            return pb.RunResponse(
                state=pb.State(
                    failed=pb.Failed(
                        reason="NoSuchMachine", message=f'{job.args["machine"]} is not in the rack'
                    )
                )
            )
        begun = self._journal.begin(job.key, job.args["machine"], int(job.args.get("seconds") or "2"))
        return pb.RunResponse(state=state_of(begun))

    def Observe(self, request, context):
        return pb.ObserveResponse(state=state_of(self._journal.find(request.job.key)))

    def Cancel(self, request, context):
        return pb.CancelResponse(state=state_of(self._journal.cancel(request.job.key)))


def main():
    options = argparse.ArgumentParser(description="Updates firmware, for Andon.")
    options.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    options.add_argument("--port", type=int, default=50051, help="(default: %(default)s)")
    options.add_argument("--journal", default="updates.jsonl", help="file (default: %(default)s)")
    options = options.parse_args()

    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=16),
        # Else a second executor would get every other call.
        options=[("grpc.so_reuseport", 0)],
    )
    executor_pb2_grpc.add_JobExecutorServicer_to_server(
        FirmwareUpdates(Journal(options.journal)), server
    )
    port = server.add_insecure_port(f"{options.host}:{options.port}")
    server.start()
    print(f"listening on {options.host}:{port}", flush=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop(grace=5))
    server.wait_for_termination()


if __name__ == "__main__":
    main()
