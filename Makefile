check test coverage demo bench clis guides lock newest azdev judges faults release:
	@scripts/$@

.PHONY: check test coverage demo bench clis guides lock newest azdev judges faults release
