import httpx, yaml
from cryptography.fernet import Fernet


def GET(ctx):
    try:
        httpx.get("https://127.0.0.1:9/")
    except httpx.ConnectError:
        pass
    f = Fernet(Fernet.generate_key())
    return {"y": yaml.safe_load("a: 1"), "d": f.decrypt(f.encrypt(b"x")).decode()}
