import fontTools.varLib.iup
import fontTools.misc.bezierTools as b
import kiwisolver as ks


def GET(ctx):
    x = ks.Variable("x")
    s = ks.Solver()
    s.addConstraint((x >= 1) | "required")
    try:
        s.addConstraint((x <= 0) | "required")
    except ks.UnsatisfiableConstraint as e:
        return {"e": type(e).__name__, "b": b.calcQuadraticBounds((0, 0), (50, 100), (100, 0))}
