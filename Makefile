check test demo bench clis guides lock newest azdev judges faults:
	@scripts/$@

.PHONY: check test demo bench clis guides lock newest azdev judges faults
