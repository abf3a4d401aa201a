using Orderwright.Contracts;

namespace Orderwright.Simulation;

// Operations and faults that came later. They draw from streams of their own, so that every other draw of a seed is as before.
public sealed partial class Plan
{
    static readonly TimeSpan ThreeDays = TimeSpan.FromDays(3);

    void DrawMore(Chance more)
    {
        (DatabaseHasClock, RefundsInParts) = (more.Hit(0.6), more.Hit(0.5));
        var isCalm = more.Hit(0.4);
        DrawPrices(more);
        foreach (var (at, place) in Placed())
        {
            if (more.Hit(0.15))
                Add(at + More(), new Complete(place.Number) { Goods = more.Of(null, null, "consume", "release") });
            if (more.Hit(0.2)) Add(at + More(), new Refund(place.Number, more.Hit(0.5) ? more.Between(1, 500) : null));
            if (more.Hit(0.05)) Add(at + More(), new Refund(place.Number, null));
        }
        if (more.Hit(0.15)) DrawImport(more);
        if (more.Hit(0.1)) DrawErasure(more);
        if (isCalm) return;
        var fault = DrawMoreFault(more);
        Add(more.Between(TimeSpan.Zero, span * 0.8), fault with
        {
            For = fault is ClockSkewed or Restored or StandbyStalled
                ? more.Between(TimeSpan.FromMilliseconds(100), span)
                : more.Between(TimeSpan.FromMilliseconds(100), span * 0.5),
        });

        TimeSpan More() => more.Between(TimeSpan.Zero, span);
    }

    // Takes the place of a restore or a standby that the plan has already: a database has one copy at a time.
    void DrawRestore(Chance chance)
    {
        items.RemoveAll(item => item.What is Restored or StandbyStalled);
        var service = ServiceNames.All[chance.Next(ServiceNames.All.Count)];
        var down = chance.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5));
        Add(chance.Between(TimeSpan.Zero, span * 0.8), new Restored(service, down)
        {
            For = chance.Between(TimeSpan.FromMilliseconds(100), span),
        });
    }

    // Soon after an order, a cancellation or an operator's action, while its messages are on the way, or at any time. Often the
    // former active instance takes over again, with a memory of sagas that have advanced since.
    void DrawTakeovers(Chance takeovers)
    {
        SharesQueues = takeovers.Hit(0.3);
        if (!takeovers.Hit(0.5)) return;
        var moments = items.Where(item => item.What is Place or Cancel or Operate).Select(item => item.At).ToList();
        for (var count = takeovers.Between(1, 4); count > 0; count--)
        {
            var at = takeovers.Hit(0.7)
                ? moments[takeovers.Next(moments.Count)] + Soon()
                : takeovers.Between(TimeSpan.Zero, span * 0.8);
            var service = takeovers.Hit(0.4)
                ? ServiceNames.Coordinator
                : ServiceNames.All[takeovers.Next(ServiceNames.All.Count)];
            Add(at, new TakenOver(service));
            if (takeovers.Hit(0.5)) Add(at + Soon(), new TakenOver(service));
        }

        TimeSpan Soon() => takeovers.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(takeovers.Of(20, 100, 3_000)));
    }

    List<(TimeSpan At, Place Place)> Placed() =>
        [.. items.Where(item => item.What is Place).Select(item => (item.At, (Place)item.What))];

    // Some orders have a reference, some a discount, which a till may not give beyond its limit.
    void DrawPrices(Chance more)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i].What is not Place place) continue;
            if (more.Hit(0.3)) place = place with { Reference = $"R-{place.Number}" };
            if (more.Hit(0.2))
                place = place with { Discount = more.Of(5, Shop.TillDiscount, 30, 100), AtTill = more.Hit(0.5) };
            items[i] = items[i] with { What = place };
        }
    }

    // A file is imported again, perhaps corrected meanwhile: the same reference under another key, the content alike or not.
    void DrawImport(Chance more)
    {
        var (at, first) = Placed()[0];
        for (var times = more.Between(1, 2); times > 0; times--)
        {
            var again = first with
            {
                Number = ++orders, Reference = $"R-{first.Number}", HasKey = true, Copies = 1, WaitSeconds = 0,
                Lines = more.Hit(0.5) ? first.Lines : [(more.Of("TEA", "MUG"), more.Between(1, 3))],
                Token = more.Hit(0.5) ? first.Token : CardTokens.Good,
            };
            Add(at + more.Between(TimeSpan.Zero, span), again);
        }
        var place = items.FindIndex(item => ReferenceEquals(item.What, first));
        items[place] = items[place] with { What = first with { Reference = $"R-{first.Number}" } };
    }

    // A customer is erased while orders come in, and another person takes the id.
    void DrawErasure(Chance more)
    {
        var at = more.Between(TimeSpan.Zero, span * 0.5);
        Add(at, new Erase(more.Hit(0.7) ? Shop.Guest : Shop.Customers[0]));
        if (more.Hit(0.6)) Add(at + more.Between(TimeSpan.Zero, span), new Register(Shop.Guest));
        if (more.Hit(0.3)) Add(at + more.Between(TimeSpan.Zero, span), new TopUp(Shop.Guest, more.Between(1, 3_000)));
        for (var count = more.Between(0, 2); count > 0; count--)
            Add(more.Between(TimeSpan.Zero, span), new Place(
                ++orders, Shop.Guest, [(more.Of("TEA", "MUG"), 1)], more.Hit(0.7) ? CardTokens.Good : null, HasKey: true,
                Copies: 1, WaitSeconds: 0));
    }

    static Fault DrawMoreFault(Chance more)
    {
        var service = ServiceNames.All[more.Next(ServiceNames.All.Count)];
        switch (more.Next(12))
        {
            case < 2:
                return new StandbyStalled(more.Hit(0.7) ? ServiceNames.Order : service, TakesOver: more.Hit(0.9));
            case < 4:
                return new Restored(service, more.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5)));
            case < 6:
                return new DiskFull(service);
            case < 8:
                return new ClockSkewed(
                    service, 1, more.Of(ThreeDays, TimeSpan.FromHours(2), TimeSpan.FromDays(-1), TimeSpan.FromSeconds(45)))
                {
                    AtStart = more.Hit(0.6),
                };
            case < 9:
                return new KeyRevoked();
            default:
                return DrawForgery(more);
        }
    }

    static Forged DrawForgery(Chance more)
    {
        var what = more.Of(Enum.GetValues<Forgery>());
        var user = more.Hit(0.4) ? null : ServiceNames.All[more.Next(ServiceNames.All.Count)];
        return new(user is not null && Forgeries.IsRightful(user, what) ? null : user, what, more.Between(1, 3));
    }
}
