using Microsoft.AspNetCore.Components;
using Orderwright.OperatorConsole.Pages;

namespace Orderwright.OperatorConsole;

/// <summary>One page: where it is, what it is called, which component draws it.</summary>
/// <param name="Route">With <c>{id}</c> for what varies.</param>
/// <param name="Title">In the browser's tab and as its heading.</param>
/// <param name="Component">Takes a <see cref="Visit"/>.</param>
/// <param name="Menu">Its name in the menu; null when it is not there.</param>
/// <param name="Under">Of which page of the menu it is a part, where its address does not say so.</param>
public sealed record SitePage(string Route, string Title, Type Component, string? Menu = null, string? Under = null);

/// <summary>The console's pages as a list.</summary>
public static class Site
{
    public static readonly IReadOnlyList<SitePage> Pages =
    [
        Of<OverviewPage>("/", "Overview", "Overview"),
        Of<OrdersPage>("/orders", "Orders", "Orders"),
        Of<OrderPage>("/orders/{id}", "Order"),
        Of<ActPage>("/orders/{id}/act", "Act on an order"),
        Of<IncidentsPage>("/incidents", "Incidents", "Incidents"),
        Of<NotePage>("/incidents/{id}", "Note on an incident"),
        Of<BulkPage>("/bulk", "Act on many orders", under: "/incidents"),
        Of<BulkRunPage>("/bulk/{id}", "Many orders", under: "/incidents"),
        Of<StockPage>("/stock", "Stock", "Stock"),
        Of<StockItemPage>("/stock/{id}", "Stock of"),
        Of<ServicePage>("/services/{id}", "Service", under: "/"),
        Of<PaymentsPage>("/payments", "Payments", "Payments"),
        Of<ReconciliationPage>("/reconciliations/{id}", "Comparison", under: "/payments"),
        Of<DeadLettersPage>("/dead-letters", "Dead letters", "Dead letters"),
        Of<ReplayPage>("/dead-letters/{id}", "Dead letter"),
        Of<TimersPage>("/timers", "Timers", "Timers"),
        Of<AuditPage>("/audit", "Audit", "Audit"),
    ];

    /// <summary>For an address where nothing is.</summary>
    public static readonly SitePage Missing = Of<MissingPage>("", "No such page");

    /// <summary>Null for a path that is no page.</summary>
    public static SitePage? Find(string path)
    {
        var parts = path.Split('/');
        return Pages.FirstOrDefault(page =>
        {
            var route = page.Route.Split('/');
            return route.Length == parts.Length
                && route.Zip(parts).All(pair => pair.First == "{id}" ? pair.Second.Length > 0 : pair.First == pair.Second);
        });
    }

    static SitePage Of<T>(string route, string title, string? menu = null, string? under = null) where T : IComponent =>
        new(route, title, typeof(T), menu, under);
}
