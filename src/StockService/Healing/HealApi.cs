using Microsoft.AspNetCore.Routing;
using Orderwright.Contracts;
using Orderwright.Http;
using Orderwright.Http.Operators;

namespace Orderwright.StockService.Healing;

/// <summary>Repairs of reservations over HTTP: <c>POST /api/v1/heal/reservations</c>.</summary>
public sealed class HealApi(CommandGroup<HealReservationsRequest> repairs)
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapHeal(
        "reservations", HealJson.Default.HealReservationsRequest, Check, (command, _) => repairs.SubmitAsync(command));

    static Check Check(HealReservationsRequest request)
    {
        var products = request.Products ?? [];
        var check = new Check().Range("/orders", request.Orders.Count + products.Count, 1, HealRequests.MaxRepairs);
        for (var i = 0; i < request.Orders.Count; i++)
        {
            var (at, repair) = ($"/orders/{i}", request.Orders[i]);
            check.OneOf(
                $"{at}/to", repair.To,
                [ReservationStates.Held, ReservationStates.Committed, ReservationStates.Released]);
            if (repair.To != ReservationStates.Released && (repair.Lines.Count == 0 || repair.Lines.Any(IsIncomplete)))
                check.Fail($"{at}/lines", "required", "Lines with quantities and prices are required, except for a release.");
        }
        for (var i = 0; i < products.Count; i++)
            check.Id($"/products/{i}/sku", products[i].Sku).Currency($"/products/{i}/currency", products[i].Currency)
                .Range($"/products/{i}/unitPrice", products[i].UnitPrice, 0, Http.Check.Most)
                .Range($"/products/{i}/onHand", products[i].OnHand, 0, Http.Check.Most);
        return check;
    }

    static bool IsIncomplete(OrderLine line) => line.Quantity < 1 || line.UnitPrice is null or < 0;
}
