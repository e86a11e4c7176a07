"""Brings up what tests need (Kafka, Postgres, sluice itself) and stops it again, whatever happens."""
