check test demo bench clis guides lock newest azdev faults:
	@scripts/$@

.PHONY: check test demo bench clis guides lock newest azdev faults
