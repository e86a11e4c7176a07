"""Real Apache Kafka (KRaft) from Maven Central's jars: no Docker, ready in seconds, 160 MB a broker."""
import base64
import glob
import os
import shutil
import uuid

from . import processes
from .processes import CACHE, Failed, accepts, free_port, start, wait_until

# 4.3.1 is what the REST corpus was recorded on; its error texts are part of the recordings.
VERSION = "4.3.1"
LIB = os.path.join(CACHE, f"kafka-{VERSION}", "lib")

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice.test</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.3</version></dependency>
  </dependencies>
</project>
"""

LOG4J = """Configuration:
  status: error
  Appenders:
    Console: {name: STDOUT, PatternLayout: {pattern: "%d %p %c{1} %m%n"}}
  Loggers:
    Root: {level: warn, AppenderRef: {ref: STDOUT}}
"""


def fetch_jars():
    """Copies Kafka's jars into the cache; nothing to do the second time, so that it works offline then."""
    done = os.path.join(os.path.dirname(LIB), "complete")
    if os.path.exists(done):
        return
    home = os.path.dirname(LIB)
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(home)
    with open(os.path.join(home, "pom.xml"), "w") as file:
        file.write(POM)
    command = ["mvn", "-q", "-B", "-ntp", "-f", os.path.join(home, "pom.xml"),
               "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies",
               "-DincludeScope=runtime", f"-DoutputDirectory={LIB}"]
    status, written = processes.output(command)
    if status != 0 or not glob.glob(os.path.join(LIB, "kafka_2.13-*.jar")):
        raise Failed(f"Kafka's jars could not be fetched:\n{written[-4000:]}")
    open(done, "w").close()


class Cluster:
    """One broker that is its own controller, open to everybody unless `settings` say otherwise. `users` are names and
    passwords for SCRAM."""

    def __init__(self, home, settings=None, users=None):
        self.home = home
        self.settings = settings or {}
        self.users = users or {}
        self.cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if self.cluster_id.startswith("-"):
            self.cluster_id = "A" + self.cluster_id[1:]
        self.port, self.controller_port = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.child = None

    def begin(self):
        """Formats the log directory and starts the broker; `ready` waits for it."""
        os.makedirs(self.home, exist_ok=True)
        for port in (self.port, self.controller_port):
            if accepts(port):
                raise Failed(f"port {port} is taken; Kafka cannot start there")
        properties = {
            "process.roles": "broker,controller", "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": os.path.join(self.home, "data"),
            "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1, "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0, "log.cleaner.dedupe.buffer.size": 2097152,
            "num.network.threads": 2, "num.io.threads": 2, "background.threads": 2,
        } | self.settings
        self.config = os.path.join(self.home, "server.properties")
        with open(self.config, "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in properties.items())
        self.log4j = os.path.join(self.home, "log4j2.yaml")
        with open(self.log4j, "w") as file:
            file.write(LOG4J)
        if not os.path.exists(os.path.join(self.home, "data", "meta.properties")):
            command = ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{LIB}/*", "kafka.tools.StorageTool",
                       "format", "-t", self.cluster_id, "-c", self.config]
            for user, password in self.users.items():
                for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                    command += ["--add-scram", f"{mechanism}=[name={user},password={password}]"]
            status, written = processes.output(command)
            if status != 0:
                raise Failed(f"Kafka's storage could not be formatted:\n{written}")
        self._run()
        return self

    def _run(self):
        command = ["java", "-Xms64m", "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                   f"-Dlog4j2.configurationFile={self.log4j}", "-cp", f"{LIB}/*", "kafka.Kafka", self.config]
        self.child = start(command, os.path.join(self.home, "kafka.log"))

    def ready(self, seconds=90):
        """Waits until the broker accepts clients."""
        wait_until(lambda: accepts(self.port), self.child, f"Kafka on port {self.port}", seconds)
        return self

    def kill(self):
        """Ends the broker as a crash would."""
        processes.kill(self.child)

    def restart(self):
        """Starts it again on the same data and ports."""
        self._run()
        return self.ready()

    def stop(self):
        processes.stop(self.child)
