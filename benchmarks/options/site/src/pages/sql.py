import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, Session


class Base(DeclarativeBase):
    pass


class U(Base):
    __tablename__ = "u"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def GET(ctx):
    e = sa.create_engine("sqlite://")
    Base.metadata.create_all(e)
    with Session(e) as s:
        s.add(U(name="x"))
        s.commit()
        return {"n": s.scalars(sa.select(U)).one().name}
