check test demo bench clis guides lock newest azdev judges faults release:
	@scripts/$@

.PHONY: check test demo bench clis guides lock newest azdev judges faults release
