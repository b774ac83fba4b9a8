check test demo bench clis guides lock newest azdev judges:
	@scripts/$@

.PHONY: check test demo bench clis guides lock newest azdev judges
