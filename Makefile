test demo bench clis guides:
	@scripts/$@

.PHONY: test demo bench clis guides
