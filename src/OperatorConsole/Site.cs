using Microsoft.AspNetCore.Components;
using Orderwright.OperatorConsole.Pages;

namespace Orderwright.OperatorConsole;

/// <summary>Page of the console.</summary>
/// <param name="Route">Path, with <c>{id}</c> for the variable part.</param>
/// <param name="Title">Title of the browser's tab.</param>
/// <param name="Component">Component with a parameter <c>Visit</c>.</param>
/// <param name="Menu">Name in the menu; null for pages outside the menu.</param>
/// <param name="Under">Route of the menu's page to highlight, where the path does not begin with that route.</param>
public sealed record SitePage(string Route, string Title, Type Component, string? Menu = null, string? Under = null);

/// <summary>Pages of the console.</summary>
public static class Site
{
    public static readonly IReadOnlyList<SitePage> Pages =
    [
        Of<OverviewPage>("/", "Overview", "Overview"),
        Of<OrdersPage>("/orders", "Orders", "Orders"),
        Of<OrderPage>("/orders/{id}", "Order"),
        Of<OrderActionPage>("/orders/{id}/act", "Action on order"),
        Of<IncidentsPage>("/incidents", "Incidents", "Incidents"),
        Of<NotePage>("/incidents/{id}", "Note on incident"),
        Of<BulkPage>("/bulk", "Bulk action", under: "/incidents"),
        Of<BulkRunPage>("/bulk/{id}", "Bulk action", under: "/incidents"),
        Of<StockPage>("/stock", "Stock", "Stock"),
        Of<StockItemPage>("/stock/{id}", "Stock of"),
        Of<ServicePage>("/services/{id}", "Service", under: "/"),
        Of<PaymentsPage>("/payments", "Payments", "Payments"),
        Of<ReconciliationPage>("/reconciliations/{id}", "Reconciliation", under: "/payments"),
        Of<ApprovalsPage>("/approvals", "Approvals", "Approvals"),
        Of<ApprovalPage>("/approvals/{id}", "Approval"),
        Of<WebhooksPage>("/webhooks", "Webhooks", "Webhooks"),
        Of<WebhookPage>("/webhooks/{id}", "Webhook endpoint"),
        Of<DeadLettersPage>("/dead-letters", "Dead letters", "Dead letters"),
        Of<ReplayPage>("/dead-letters/{id}", "Dead letter"),
        Of<TimersPage>("/timers", "Timers", "Timers"),
        Of<AuditPage>("/audit", "Audit", "Audit"),
    ];

    /// <summary>Page for unknown addresses.</summary>
    public static readonly SitePage NotFound = Of<NotFoundPage>("", "Page not found");

    /// <summary>Page at a path; null for an unknown path.</summary>
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
