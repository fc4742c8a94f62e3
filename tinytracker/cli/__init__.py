"""The command line: one short module per verb, each calling one documented public function."""
