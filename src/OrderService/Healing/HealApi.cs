using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.OrderService.Healing;

/// <summary>Repairs of orders over HTTP: <c>POST /api/v1/heal/orders</c>.</summary>
public sealed class HealApi(CommandGroup<HealOrdersRequest> repairs)
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapHeal(
        "orders", HealJson.Default.HealOrdersRequest, Check, (command, _) => repairs.SubmitAsync(command));

    static Check Check(HealOrdersRequest request)
    {
        var check = new Check().Range("/orders", request.Orders.Count, 1, HealRequests.MaxRepairs);
        for (var i = 0; i < request.Orders.Count; i++)
        {
            var (at, repair) = ($"/orders/{i}", request.Orders[i]);
            if (repair.Goods is { } goods) check.OneOf($"{at}/goods", goods, [GoodsEnds.Consumed, GoodsEnds.Released]);
            foreach (var participant in repair.AskAgain ?? [])
                check.OneOf($"{at}/askAgain", participant, [ServiceNames.Stock, ServiceNames.Customer]);
            if (repair.Placed is { } placed)
                check.Id($"{at}/placed/customerId", placed.CustomerId).Currency($"{at}/placed/currency", placed.Currency)
                    .Range($"{at}/placed/lines", placed.Lines.Count, 1, OrderChecks.MaxLines);
        }
        return check;
    }
}
