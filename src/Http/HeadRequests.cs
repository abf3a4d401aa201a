using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>Marks HEAD requests, which endpoints see as GET: the server sends the headers and no body.</summary>
public static class HeadRequests
{
    static readonly object Key = new();

    public static bool IsHead(HttpContext http) => http.Items.ContainsKey(Key);

    public static void Mark(HttpContext http) => http.Items[Key] = true;
}
