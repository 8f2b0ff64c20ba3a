"""APIs over HTTP in front of an engine. The public name is `trunkline.Engine.api`."""
