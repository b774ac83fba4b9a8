check test demo bench clis guides lock newest azdev:
	@scripts/$@

.PHONY: check test demo bench clis guides lock newest azdev
