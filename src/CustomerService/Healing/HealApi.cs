using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.CustomerService.Healing;

/// <summary>Repairs of payments over HTTP: <c>POST /api/v1/heal/payments</c>.</summary>
public sealed class HealApi(HealPayments repairs)
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapHeal(
        "payments", HealJson.Default.HealPaymentsRequest, Check,
        (command, http) => repairs.RunAsync(command, http.RequestAborted));

    static Check Check(HealPaymentsRequest request)
    {
        var check = new Check()
            .Range("/orders", request.Orders.Count, request.Erasures is null ? 1 : 0, HealRequests.MaxRepairs)
            .Range("/erasures", request.Erasures?.Count ?? 0, 0, HealRequests.MaxRepairs);
        for (var i = 0; i < (request.Erasures?.Count ?? 0); i++)
            check.Id($"/erasures/{i}/customerId", request.Erasures![i].CustomerId);
        for (var i = 0; i < request.Orders.Count; i++)
        {
            var (at, repair) = ($"/orders/{i}", request.Orders[i]);
            check.OneOf(
                    $"{at}/to", repair.To,
                    [PaymentTargets.Secured, PaymentTargets.Returned, PaymentTargets.Known, PaymentTargets.Told])
                .Id($"{at}/terms/customerId", repair.Terms.CustomerId)
                .Currency($"{at}/terms/currency", repair.Terms.Currency)
                .Range($"{at}/terms/amountMinor", repair.Terms.AmountMinor ?? 0, 0, long.MaxValue);
        }
        return check;
    }
}
