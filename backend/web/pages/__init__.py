"""The pages of clearing, a module for each subject; `backend.web.app` says who may see them."""
